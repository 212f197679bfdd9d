"""Tests of nncli.data.columns."""
