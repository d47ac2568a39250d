"""The main job, end to end, as a person does it over what ``make run`` starts."""
