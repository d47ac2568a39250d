"""Password hashes of other systems: what algorithm an import's are of, and room for them until their owners sign in.

A column, empty for every row there is; one that may be null, and one that may be longer, which rewrites no row. Additive.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ('pools', '0032_notices_of_api_changes'),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name='userimportjob',
            name='hashing',
            field=models.CharField(blank=True, choices=[('BCRYPT', 'bcrypt'), ('SCRYPT', 'scrypt'), ('ARGON2ID', 'Argon2id'), ('PBKDF2_SHA256', 'PBKDF2-SHA256')], db_default='', default='', max_length=16),
        ),
        migrations.AlterField(
            model_name='password',
            name='argon2',
            field=models.CharField(max_length=512),
        ),
        migrations.AlterField(
            model_name='password',
            name='sealed_verifier',
            field=models.BinaryField(null=True),
        ),
    ]
