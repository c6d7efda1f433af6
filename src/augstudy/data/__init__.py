"""Sources of images, and datasets made of them."""
