"""The command line: the only package that prints, reads arguments, or knows rich and click; it computes nothing.

Everything heavy is imported inside the commands, so that ``nncli --help`` starts without NumPy.
"""
