"""The states of fitted components: mappings of JSON values, which a reader of a run has to validate."""

from typing import Any, Protocol, TypeVar

from pydantic_core import ValidationError

from nncli.registry import Model

State = dict[str, Any]
StateModel = TypeVar("StateModel", bound=Model)


class NoState(Model):
    """The state of a component that learns nothing from data."""


def validated_state(state: Any, model: type[StateModel]) -> StateModel:
    """The state as an instance of its model: strict types, finite numbers, no key too many or too few.

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
    """Refuse a state with an impossible value.

    Raises:
        ValueError: the condition does not hold; the message names the key.
    """
    if not condition:
        raise ValueError(f"{key}: {reason}")


class Restorable(Protocol):
    """A component that has a state."""

    def restore(self, state: State) -> None:
        """Take a state."""


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
    """What is measured on training values; by default nothing is."""

    def state(self) -> State:
        """What ``fit`` has measured, as JSON values."""
        return {}

    def restore(self, state: State) -> None:
        """Take the state of another component with the same parameters; ``apply`` then gives the same bits.

        Raises:
            ValueError: the state is damaged or impossible; the message names the key.
        """
        validated_state(state, NoState)
