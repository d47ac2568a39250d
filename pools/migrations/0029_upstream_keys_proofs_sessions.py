"""What pools keep for providers that sign by documents: keys, used proofs, sessions there, what was fetched. Additive."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
import identity.foundation.names
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ('pools', '0028_asks_second_factor'),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name='externallogin',
            name='issuer',
            field=models.CharField(blank=True, db_default='', default='', max_length=1024),
        ),
        migrations.AddField(
            model_name='identityprovider',
            name='ends_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='identityprovider',
            name='expiry_told',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='identityprovider',
            name='fetch_failed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='identityprovider',
            name='fetch_problem',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='identityprovider',
            name='fetched',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name='identityprovider',
            name='fetched_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='EncryptionKey',
            fields=[
                ('id', models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ('certificate', models.BinaryField()),
                ('sealed_private', models.BinaryField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('pool', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.userpool')),
            ],
            options={
                'db_table': 'encryption_key',
                'indexes': [models.Index(fields=['pool', 'id'], name='encryption_key_of_pool')],
            },
        ),
        migrations.CreateModel(
            name='UpstreamSession',
            fields=[
                ('id', models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ('provider', models.CharField(db_collation='C', max_length=32)),
                ('subject', models.CharField(db_collation='C', max_length=2048)),
                ('name', models.BinaryField()),
                ('sealed', models.BinaryField()),
                ('expires_at', models.DateTimeField()),
                ('pool', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.userpool')),
            ],
            options={
                'db_table': 'upstream_session',
                'indexes': [models.Index(fields=['pool', 'provider', 'subject'], name='upstream_session_of'), models.Index(fields=['expires_at'], name='upstream_session_expiry')],
            },
        ),
        migrations.CreateModel(
            name='UsedProof',
            fields=[
                ('id', models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ('hashed', models.BinaryField()),
                ('expires_at', models.DateTimeField()),
                ('pool', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.userpool')),
            ],
            options={
                'db_table': 'used_proof',
                'indexes': [models.Index(fields=['expires_at'], name='used_proof_expiry')],
                'constraints': [models.UniqueConstraint(fields=('pool', 'hashed'), name='used_proof_once')],
            },
        ),
    ]
