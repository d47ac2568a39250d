"""Codes by SMS as a second factor: whether a pool lets people have them, and who is asked for them.

Two columns, false for every row there is, and one more purpose of a code. Additive.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ('pools', '0030_saml_applications'),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name='user',
            name='sms_enabled',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='userpool',
            name='sms_enabled',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='onetimecode',
            name='purpose',
            field=models.CharField(choices=[('sign_up', 'Sign Up'), ('recovery', 'Recovery'), ('email', 'Email'), ('phone_number', 'Phone Number'), ('second_factor', 'Second Factor')], max_length=16),
        ),
    ]
