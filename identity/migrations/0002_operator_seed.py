"""Operators' authenticators get sealed seeds of their own, with the values that were derived until now."""

from __future__ import annotations

import hmac
from typing import ClassVar

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from identity.foundation import sealing


def keep_seeds(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Seal what each authenticator's seed was: derived from the oldest sealing key and the device's salt."""
    del schema_editor
    for device in apps.get_model("otp_totp", "TOTPDevice").objects.all():
        place = f"operator-totp:{device.user_id}:{device.key}"
        seed = hmac.digest(sealing.derived_keys("operator-totp")[-1], place.encode(), "sha256")[:20]
        sealed = sealing.seal(seed, place=place)
        apps.get_model("identity", "OperatorSeed").objects.create(device_id=device.pk, sealed=sealed)


class Migration(migrations.Migration):
    """Make the table, and fill it."""

    dependencies: ClassVar = [("identity", "0001_initial"), ("otp_totp", "0003_add_timestamps")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="OperatorSeed",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=models.CASCADE,
                        primary_key=True,
                        related_name="seed",
                        serialize=False,
                        to="otp_totp.totpdevice",
                    ),
                ),
                ("sealed", models.BinaryField()),
            ],
            options={"db_table": "operator_seed"},
        ),
        migrations.RunPython(keep_seeds, migrations.RunPython.noop),
    ]
