"""Trunks, switches and browsers' telephones (docs/telephony.md)."""
