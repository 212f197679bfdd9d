"""Tests of nncli.report."""
