//! the product: the kernel and its capabilities.
