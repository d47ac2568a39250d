from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pools', '0019_signing_certificate'),
    ]

    operations = [
        migrations.AddField(
            model_name='pooldomain',
            name='configuration',
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
