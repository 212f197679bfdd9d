"""The completion scripts of bash, zsh and fish, and the answers to them.

A script passes the line up to the cursor in ``COMP_LINE`` and reads one word per line. A word that ends in one of
``OPEN`` can be continued, so no space follows it.
"""

import os
import re

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string

from nncli.cli.completion import paths

OPEN = ("=", ".", "[", "/")

BASH = """\
%(complete_func)s() {
    local program=${1/#\\~/$HOME}
    mapfile -t COMPREPLY < <(COMP_LINE=${COMP_LINE:0:COMP_POINT} COMP_WORD=${COMP_WORDS[COMP_CWORD]} \\
        %(complete_var)s=bash_complete "$program" 2>/dev/null)
    [[ -n ${COMPREPLY[0]-} ]] || COMPREPLY=()
    if [[ ${COMPREPLY[0]-} == *[=.[/] ]]; then compopt -o nospace; fi
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local -a lines open closed
    if [[ $PREFIX == \\~* ]]; then _files; return; fi
    lines=("${(@f)$(COMP_LINE="${(j: :)words[1,CURRENT-1]} $QIPREFIX$PREFIX" \\
        %(complete_var)s=zsh_complete ${~words[1]} 2>/dev/null)}")
    open=("${(@)${(@M)lines:#+*}#+}")
    closed=("${(@)${(@M)lines:# *}# }")
    (( $#open )) && _describe -V %(prog_name)s open -S ''
    (( $#closed )) && _describe -V %(prog_name)s closed
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    (( $+functions[compdef] )) || { autoload -U compinit && compinit -i }
    compdef %(complete_func)s %(prog_name)s
fi
"""

FISH = """\
function %(complete_func)s
    set -l program (commandline -opc | head -1 | string replace -r '^~' $HOME)
    env COMP_LINE=(commandline -cp | string collect) %(complete_var)s=fish_complete $program 2>/dev/null
end
complete --command %(prog_name)s --no-files --keep-order --arguments '(%(complete_func)s)'
"""


class Shell(ShellComplete):
    """What the three shells have in common."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The complete words before the cursor, and the one at it: a character there keeps an empty word apart."""
        *words, last = split_arg_string(os.environ["COMP_LINE"] + "x")[1:]
        return words, last[:-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Whole words, after the option if an equals sign joins them.

        The value of an option is always passed as ``--option=value``: click ignores all of ``run --option``.
        """
        option, start, typed = "", "", incomplete
        if incomplete.startswith("-"):
            option = start = incomplete[: incomplete.find("=") + 1]
            typed = incomplete.removeprefix(start)
        elif args and args[-1].startswith("-") and args[-1] != "--" and "=" not in args[-1]:
            args, option = args[:-1], f"{args[-1]}="
        found = [each for item in super().get_completions(args, option + typed) for each in _listed(item, typed)]
        return [CompletionItem(start + each.value, help=each.help) for each in found if each.value.isprintable()]


def _listed(item: CompletionItem[str], typed: str) -> list[CompletionItem[str]]:
    """The paths that an item stands for if it asks the shell to list them, or the item itself."""
    if item.type not in {"file", "dir"}:
        return [item]
    return [CompletionItem(path) for path in paths(typed, () if item.type == "dir" else None)]


class Bash(Shell):
    """Bash replaces what follows the last separator, which may be an equals sign, and inserts words as they are."""

    name = "bash"
    source_template = BASH

    def format_completion(self, item: CompletionItem[str]) -> str:
        """The end of the word that bash replaces, quoted unless the user has begun to quote it."""
        word = os.environ.get("COMP_WORD", "")
        incomplete = self.get_completion_args()[1]
        quoted = word[:1] in {"'", '"'}
        typed = split_arg_string(word)[-1] if word.strip("=:") else ""
        value = item.value[len(incomplete) - len(typed) :]
        return value if quoted else re.sub(r"([^\w@%+=:,./~\[\]-])", r"\\\1", value)


class Zsh(Shell):
    """Zsh shows the description after a colon, and quotes words itself."""

    name = "zsh"
    source_template = ZSH

    def format_completion(self, item: CompletionItem[str]) -> str:
        """A sign that says whether a space follows, the word and its description."""
        value = item.value.replace(":", "\\:")
        return f"{'+' if value.endswith(OPEN) else ' '}{value}{f':{item.help}' if item.help else ''}"


class Fish(Shell):
    """Fish shows the description after a tab, and quotes words itself."""

    name = "fish"
    source_template = FISH

    def format_completion(self, item: CompletionItem[str]) -> str:
        """The word and its description."""
        return f"{item.value}\t{item.help}" if item.help else item.value


SHELLS = {shell.name: add_completion_class(shell) for shell in (Bash, Zsh, Fish)}


def complete(group: click.Command, variable: str) -> int:
    """Answer a shell that asks for completions; return the exit code."""
    from click.shell_completion import shell_complete

    return shell_complete(group, {}, "nncli", variable, os.environ[variable])
