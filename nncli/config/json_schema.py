"""The JSON Schema of a config, for editors; importing this module imports pydantic, which takes long."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema, to_jsonable_python

from nncli.config.model import Config
from nncli.registry import components, kinds, names


class Generator(GenerateJsonSchema):
    """Writes out what only a program knows: the components of a kind, and what is made by default."""

    def function_plain_schema(self, schema: Any) -> dict[str, Any]:
        kind = schema["metadata"]["kind"]
        models: dict[Any, Any] = {
            each.name: core_schema.definition_reference_schema(each.target.__name__) for each in components(kind)
        }
        choice = core_schema.tagged_union_schema(models, lambda _: None)
        return self.generate_inner(core_schema.union_schema([core_schema.literal_schema(list(names(kind))), choice]))

    def generate_inner(self, schema: Any) -> dict[str, Any]:
        example = schema.get("metadata", {}).get("example")
        return {**super().generate_inner(schema), **({} if example is None else {"examples": [example]})}

    def encode_default(self, dft: Any) -> Any:
        return to_jsonable_python(dft, fallback=vars)


def config_as_schema() -> dict[str, Any]:
    """The JSON Schema of a config."""
    models = [entry.model.core() for kind in kinds() for entry in components(kind)]
    schema = Generator().generate(core_schema.definitions_schema(Config.core(), models))
    return {"$schema": Generator.schema_dialect, **schema, "title": "nncli config"}
