"""Addresses, clients and retries: what reading drawings and keeping artifacts have in common.

Client libraries are imported in ``gcs`` and ``filesystem`` alone: they take up to a second, and
most runs need none of them.
"""
