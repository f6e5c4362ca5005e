//! A reader of profiles in pprof's format, which knows of it what tests look at.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use anyhow::Context;
use prost::Message;

/// A profile, as somebody looks at it.
#[derive(Debug)]
pub struct PprofProfile {
    /// What is measured and its unit, of each value of a sample.
    pub sample_types: Vec<(String, String)>,
    /// The first value of all samples that a function was part of, by its name.
    pub by_function: BTreeMap<String, i64>,
    /// The first value of all samples.
    pub total: i64,
    /// The values of all labels of samples.
    pub labels: BTreeSet<String>,
    /// Files that code was loaded from, with their build ids.
    pub mappings: Vec<(String, String)>,
}

impl PprofProfile {
    /// Reads what a server has answered.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(gzipped: &[u8]) -> anyhow::Result<Self> {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(gzipped).read_to_end(&mut bytes).context("it is not compressed by gzip")?;
        Self::of(&Profile::decode(&bytes[..]).context("it is no profile")?)
    }

    fn of(profile: &Profile) -> anyhow::Result<Self> {
        let text = |index: i64| {
            let text = usize::try_from(index).ok().and_then(|index| profile.string_table.get(index));
            text.cloned().with_context(|| format!("there is no string {index}"))
        };
        let functions: HashMap<_, _> = profile.function.iter().map(|function| (function.id, function.name)).collect();
        let locations: HashMap<_, _> = profile.location.iter().map(|location| (location.id, location)).collect();
        let mut read = Self {
            sample_types: Vec::new(),
            by_function: BTreeMap::new(),
            total: 0,
            labels: BTreeSet::new(),
            mappings: Vec::new(),
        };
        for kind in &profile.sample_type {
            read.sample_types.push((text(kind.kind)?, text(kind.unit)?));
        }
        for mapping in &profile.mapping {
            read.mappings.push((text(mapping.filename)?, text(mapping.build_id)?));
        }
        for sample in &profile.sample {
            anyhow::ensure!(
                sample.value.len() == profile.sample_type.len(),
                "a sample has other values than the profile"
            );
            let value = *sample.value.first().context("a sample has no value")?;
            read.total += value;
            // A function that calls itself is counted once.
            let mut names = BTreeSet::new();
            for id in &sample.location_id {
                let location = locations.get(id).with_context(|| format!("there is no location {id}"))?;
                for line in &location.line {
                    let name = functions.get(&line.function_id).context("a line is of no function")?;
                    names.insert(text(*name)?);
                }
            }
            names.into_iter().for_each(|name| *read.by_function.entry(name).or_default() += value);
            for label in &sample.label {
                read.labels.insert(text(label.text)?);
            }
        }
        Ok(read)
    }

    /// The greatest value of a function whose name holds this: closures in it have its name in theirs.
    pub fn of_function(&self, part: &str) -> i64 {
        self.by_function
            .iter()
            .filter(|(name, _)| name.contains(part))
            .map(|(_, value)| *value)
            .max()
            .unwrap_or_default()
    }
}

// The messages of `perftools.profiles`, with the fields that are looked at.

#[derive(Message)]
struct Profile {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    mapping: Vec<Mapping>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
}

#[derive(Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Message)]
struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    label: Vec<Label>,
}

#[derive(Message)]
struct Label {
    #[prost(int64, tag = "2")]
    text: i64,
}

#[derive(Message)]
struct Mapping {
    #[prost(int64, tag = "5")]
    filename: i64,
    #[prost(int64, tag = "6")]
    build_id: i64,
}

#[derive(Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
}

#[derive(Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
}
