//! RIM: owns every disk and database.
