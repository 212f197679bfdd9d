"""States of fitted components: mappings of JSON values, validated when a run is read."""

from typing import Any, Protocol, TypeVar

from pydantic_core import ValidationError

from nncli.registry import Model

State = dict[str, Any]
StateModel = TypeVar("StateModel", bound=Model)


class NoState(Model):
    """The state of a component that has nothing to fit."""


def validated_state(state: Any, model: type[StateModel]) -> StateModel:
    """The state as an instance of its model: strict types, finite numbers, all keys and no others.

    Raises:
        ValueError: the state is damaged; the message names each key.
    """
    try:
        return model.model_validate(state)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        reasons = [f"{'.'.join(map(str, each['loc'])) or 'state'}: {each['msg']}" for each in found]
        raise ValueError("; ".join(reasons)) from None


def require(condition: bool, key: str, reason: str) -> None:
    """Require a condition on a state.

    Raises:
        ValueError: the condition does not hold; the message names the key.
    """
    if not condition:
        raise ValueError(f"{key}: {reason}")


class Restorable(Protocol):
    """A component that has a state."""

    def restore(self, state: State) -> None:
        """Restore the component from a state."""


def nested(component: Restorable, key: str, state: State) -> None:
    """Restore a component within another one.

    Raises:
        ValueError: the state is damaged; the message names the key in the outer state.
    """
    try:
        component.restore(state)
    except ValueError as error:
        raise ValueError("; ".join(f"{key}.{reason}" for reason in str(error).split("; "))) from None


class Fitted:
    """Base class of components that are fitted to training values; by default nothing is fitted."""

    def state(self) -> State:
        """What ``fit`` has measured, as JSON values."""
        return {}

    def restore(self, state: State) -> None:
        """Restore the state of another component with the same parameters; ``apply`` then returns the same bits.

        Raises:
            ValueError: the state is damaged or impossible; the message names the key.
        """
        validated_state(state, NoState)
