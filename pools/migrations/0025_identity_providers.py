"""Identity providers of pools, their identifiers, and people's logins at them. Three new tables, which nobody else reads.

The release before lets no app name a provider but the pool itself, and goes on so.
"""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
import identity.foundation.names
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ('pools', '0024_user_pages'),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name='IdentityProvider',
            fields=[
                ('id', models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ('name', models.CharField(db_collation='C', max_length=32)),
                ('type', models.CharField(max_length=24)),
                ('details', models.JSONField(db_default={}, default=dict)),
                ('sealed_details', models.BinaryField()),
                ('attribute_mapping', models.JSONField(db_default={}, default=dict)),
                ('acr_mapping', models.JSONField(db_default={}, default=dict)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('modified_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('pool', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='identity_providers', to='pools.userpool')),
            ],
            options={
                'db_table': 'identity_provider',
            },
        ),
        migrations.CreateModel(
            name='ProviderIdentifier',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(db_collation='C', max_length=40)),
                ('pool', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.userpool')),
                ('provider', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='identifiers', to='pools.identityprovider')),
            ],
            options={
                'db_table': 'provider_identifier',
            },
        ),
        migrations.CreateModel(
            name='ExternalLogin',
            fields=[
                ('id', models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ('provider', models.CharField(db_collation='C', max_length=32)),
                ('provider_type', models.CharField(max_length=24)),
                ('attribute', models.CharField(db_collation='C', db_default='Cognito_Subject', default='Cognito_Subject', max_length=32)),
                ('value', models.CharField(db_collation='C', max_length=2048)),
                ('subject', models.CharField(db_collation='C', max_length=2048, null=True)),
                ('primary', models.BooleanField(db_default=False, default=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('pool', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.userpool')),
                ('user', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='external_logins', to='pools.user')),
            ],
            options={
                'db_table': 'external_login',
                'indexes': [models.Index(fields=['pool', 'user', 'id'], name='external_login_of')],
                'constraints': [models.UniqueConstraint(fields=('pool', 'provider', 'attribute', 'value'), name='external_login_once'), models.UniqueConstraint(condition=models.Q(('subject__isnull', False)), fields=('pool', 'provider', 'subject'), name='external_login_subject')],
            },
        ),
        migrations.AddIndex(
            model_name='identityprovider',
            index=models.Index(fields=['pool', 'id'], name='identity_provider_page'),
        ),
        migrations.AddConstraint(
            model_name='identityprovider',
            constraint=models.UniqueConstraint(fields=('pool', 'name'), name='identity_provider_name'),
        ),
        migrations.AddIndex(
            model_name='provideridentifier',
            index=models.Index(fields=['pool', 'provider', 'id'], name='provider_identifier_of'),
        ),
        migrations.AddConstraint(
            model_name='provideridentifier',
            constraint=models.UniqueConstraint(fields=('pool', 'name'), name='provider_identifier_once'),
        ),
    ]
