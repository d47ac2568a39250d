from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('pools', '0018_user_imports'),
    ]

    operations = [
        migrations.AddField(
            model_name='pooldomain',
            name='configuration',
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
