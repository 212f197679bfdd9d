"""The JSON Schema of a config, for editors; a separate module, since it imports pydantic, which is slow."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema, to_jsonable_python

from nncli.config.model import Config
from nncli.registry import components, kinds, names


class SchemaGenerator(GenerateJsonSchema):
    """Expands what pydantic cannot: the components of a kind, examples, and default values that are models."""

    def function_plain_schema(self, schema: Any) -> dict[str, Any]:
        """The components of a kind, by name or as a mapping."""
        kind = schema["metadata"]["kind"]
        models: dict[Any, Any] = {
            each.name: core_schema.definition_reference_schema(each.target.__name__) for each in components(kind)
        }
        choice = core_schema.tagged_union_schema(models, lambda _: None)
        return self.generate_inner(core_schema.union_schema([core_schema.literal_schema(list(names(kind))), choice]))

    def generate_inner(self, schema: Any) -> dict[str, Any]:
        """The schema of a value, with its example."""
        example = schema.get("metadata", {}).get("example")
        return {**super().generate_inner(schema), **({} if example is None else {"examples": [example]})}

    def encode_default(self, dft: Any) -> Any:
        """A default value as JSON."""
        return to_jsonable_python(dft, fallback=vars)


def config_as_schema() -> dict[str, Any]:
    """Return the JSON Schema of a config."""
    models = [entry.model.core() for kind in kinds() for entry in components(kind)]
    schema = SchemaGenerator().generate(core_schema.definitions_schema(Config.core(), models))
    return {"$schema": SchemaGenerator.schema_dialect, **schema, "title": "nncli config"}
