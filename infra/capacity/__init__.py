"""How much the service can do: a discrete-event model of queues, scaling and limits, and what a month of it costs."""
