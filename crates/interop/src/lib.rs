//! PURE: codecs of other people's formats.
