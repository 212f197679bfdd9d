"""Mutation tests: functions of nncli are replaced by wrong ones, which the tests have to find."""
