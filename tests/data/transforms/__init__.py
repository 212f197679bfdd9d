"""Tests of nncli.data.transforms."""
