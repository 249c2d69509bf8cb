"""What is looked for in Keras's callbacks before anything is trained."""
