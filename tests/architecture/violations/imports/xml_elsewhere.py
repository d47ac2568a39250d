# pretend: federation/planted_xml.py
# breaks: XML and its signatures are SAML's
"""Reads XML on its own."""

from lxml import etree as etree
