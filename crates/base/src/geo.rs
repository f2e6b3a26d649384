//! Positions on the earth, in degrees of WGS 84; latitude and longitude cannot be confused.

use serde::{Deserialize, Deserializer, Serialize};

/// A coordinate outside its range.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum GeoError {
    #[error("latitude {0} is outside -90 to 90 degrees")]
    Lat(f64),
    #[error("longitude {0} is outside -180 to 180 degrees")]
    Lon(f64),
}

macro_rules! degrees {
    ($name:ident, $doc:literal, $limit:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl $name {
            /// Takes degrees after checking their range; NaN is refused.
            ///
            /// # Errors
            /// [`GeoError`] outside the range.
            pub fn new(degrees: f64) -> Result<Self, GeoError> {
                if (-$limit..=$limit).contains(&degrees) {
                    Ok(Self(degrees))
                } else {
                    Err(GeoError::$name(degrees))
                }
            }

            /// The angle in degrees.
            pub const fn degrees(self) -> f64 {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

degrees!(Lat, "Latitude in degrees, north positive.", 90.0);
degrees!(Lon, "Longitude in degrees, east positive.", 180.0);

/// A position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub lat: Lat,
    pub lon: Lon,
}

impl Place {
    /// Takes degrees of latitude and longitude.
    ///
    /// # Errors
    /// [`GeoError`] when either is outside its range.
    pub fn new(lat: f64, lon: f64) -> Result<Self, GeoError> {
        Ok(Self { lat: Lat::new(lat)?, lon: Lon::new(lon)? })
    }
}
