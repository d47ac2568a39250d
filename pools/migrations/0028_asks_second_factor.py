"""Whether a pool's rule of second factors holds for those who come by an identity provider. Off, as it was before."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ('pools', '0027_provider_signs_out'),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name='identityprovider',
            name='asks_second_factor',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
