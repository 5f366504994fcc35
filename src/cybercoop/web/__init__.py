"""Pages, REST and what every HTTP request passes."""
