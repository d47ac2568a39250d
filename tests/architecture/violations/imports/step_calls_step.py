# pretend: pools/services/sign_in/steps/planted_step.py
# breaks: Steps never call one another
"""A step that goes on to the next."""

from pools.services.sign_in.steps import second_factor as second_factor
