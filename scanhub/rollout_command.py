"""`scanhub rollout`: from nothing to a scanned organization, and back."""

import typer

from scanhub import (
    rollout_hub_command,
    rollout_image_command,
    rollout_removal_command,
    rollout_settings_command,
    rollout_single_command,
    rollout_spokes_command,
    rollout_status_command,
)

app = typer.Typer(help="Deploy hub and spokes to AWS, see what is missing, take them away.", no_args_is_help=True)
app.command("image")(rollout_image_command.image)
app.command("settings")(rollout_settings_command.settings)
app.command("hub")(rollout_hub_command.deploy)
app.command("spokes")(rollout_spokes_command.deploy)
app.command("single")(rollout_single_command.deploy)
app.command("status")(rollout_status_command.show)
app.command("remove")(rollout_removal_command.remove)
