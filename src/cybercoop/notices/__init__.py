"""Telling people: mail and webhooks, each as much as its way may carry."""
