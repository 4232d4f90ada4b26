//! Attacks 29 to 42: claims, and tokens used for what they are not.
