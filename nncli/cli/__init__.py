"""The command line: the only package that prints, reads arguments, or uses rich and click; it computes nothing.

Command ``x`` is ``commands/x.py``, and ``render/x.py`` draws its result. Commands import everything slow inside their
functions, so that ``nncli --help`` starts without NumPy.
"""
