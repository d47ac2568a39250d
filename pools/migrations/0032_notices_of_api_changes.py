"""Whether people are mailed about changes that the wire API makes: a pool's setting, as Amazon has it in all there are.

Additive.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ('pools', '0031_text_messages'),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name='userpool',
            name='notices_of_api_changes',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
