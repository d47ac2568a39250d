"""Applications that pools are SAML identity providers for, and who of them knows of a browser's session.

Two new tables, which nobody else reads. Additive.
"""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import identity.foundation.names
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies: ClassVar = [
        ('pools', '0029_upstream_keys_proofs_sessions'),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name='SamlApplication',
            fields=[
                ('id', models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ('entity_id', models.CharField(db_collation='C', max_length=1024)),
                ('acs_urls', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2048), db_default=[], default=list, size=None)),
                ('acs_indexes', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), db_default=[], default=list, size=None)),
                ('slo_url', models.CharField(blank=True, db_default='', default='', max_length=2048)),
                ('certificates', models.JSONField(db_default=[], default=list)),
                ('signs_requests', models.BooleanField(db_default=True, default=True)),
                ('encryption_certificate', models.TextField(blank=True, db_default='', default='')),
                ('name_id_format', models.CharField(choices=[('persistent', 'Persistent'), ('transient', 'Transient'), ('emailAddress', 'Email'), ('unspecified', 'Unspecified')], db_default='persistent', default='persistent', max_length=16)),
                ('name_id_attribute', models.CharField(blank=True, db_default='', default='', max_length=64)),
                ('attributes', models.JSONField(db_default={}, default=dict)),
                ('signs_assertion', models.BooleanField(db_default=True, default=True)),
                ('signs_response', models.BooleanField(db_default=True, default=True)),
                ('encrypts', models.BooleanField(db_default=False, default=False)),
                ('allows_unasked', models.BooleanField(db_default=False, default=False)),
                ('default_relay_state', models.CharField(blank=True, db_default='', default='', max_length=1024)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('modified_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('client', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.appclient')),
                ('pool', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.userpool')),
            ],
            options={
                'db_table': 'saml_application',
            },
        ),
        migrations.CreateModel(
            name='SamlParticipant',
            fields=[
                ('id', models.UUIDField(default=identity.foundation.names.uuid7, primary_key=True, serialize=False)),
                ('name', models.CharField(db_collation='C', max_length=256)),
                ('name_id_format', models.CharField(choices=[('persistent', 'Persistent'), ('transient', 'Transient'), ('emailAddress', 'Email'), ('unspecified', 'Unspecified')], max_length=16)),
                ('session_index', models.CharField(db_collation='C', max_length=64)),
                ('signed_out_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField()),
                ('application', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.samlapplication')),
                ('pool', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.userpool')),
                ('session', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.browsersession')),
                ('user', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to='pools.user')),
            ],
            options={
                'db_table': 'saml_participant',
            },
        ),
        migrations.AddIndex(
            model_name='samlapplication',
            index=models.Index(fields=['pool', 'id'], name='saml_application_page'),
        ),
        migrations.AddConstraint(
            model_name='samlapplication',
            constraint=models.UniqueConstraint(fields=('pool', 'entity_id'), name='saml_application_entity'),
        ),
        migrations.AddConstraint(
            model_name='samlapplication',
            constraint=models.UniqueConstraint(fields=('pool', 'client'), name='saml_application_client'),
        ),
        migrations.AddIndex(
            model_name='samlparticipant',
            index=models.Index(fields=['pool', 'application', 'name'], name='saml_participant_named'),
        ),
        migrations.AddIndex(
            model_name='samlparticipant',
            index=models.Index(fields=['pool', 'user'], name='saml_participant_of_user'),
        ),
        migrations.AddIndex(
            model_name='samlparticipant',
            index=models.Index(fields=['expires_at'], name='saml_participant_expiry'),
        ),
        migrations.AddConstraint(
            model_name='samlparticipant',
            constraint=models.UniqueConstraint(fields=('pool', 'session', 'application', 'name_id_format'), name='saml_participant_once'),
        ),
    ]
