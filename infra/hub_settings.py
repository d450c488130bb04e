"""The worker's settings, as the outputs of the hub's stack tell them."""

from collections.abc import Mapping

from hub.settings import PREFIX, Settings


def output_name(setting: str) -> str:
    """The name of the hub's output for a field of the settings: `changes_queue_url` -> `ChangesQueueUrl`."""
    return "".join(word.capitalize() for word in setting.split("_"))


def environment(outputs: Mapping[str, str]) -> dict[str, str]:
    """The variables `SCANHUB_*` that the outputs decide; the other settings keep their defaults."""
    named = {setting: output_name(setting) for setting in Settings.model_fields}
    return {f"{PREFIX}{setting.upper()}": outputs[name] for setting, name in named.items() if name in outputs}
