import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0003_one_step_link'),
    ]

    operations = [
        migrations.AddField(
            model_name='accesskey',
            name='actions',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=128), default=None, null=True, size=None),
        ),
        migrations.AddField(
            model_name='accesskey',
            name='pools',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), default=None, null=True, size=None),
        ),
    ]
