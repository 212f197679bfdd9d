"""Runs for other tools: event files of TensorBoard, and the REST interface of MLflow."""
