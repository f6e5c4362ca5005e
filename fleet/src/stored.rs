//! The fold's state as bytes. Only what cannot be counted again is stored: pairs, open incidents, given ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_model::{
    Cause, FleetRules, Incident, IncidentId, Label, Network, PairTags, Severity, Standing, WindowStart,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::fold::Fleet;
use crate::incident::{Member, OpenIncident};
use crate::pair::{Pair, RECENT_WINDOWS, Run};
use crate::rhythm::Rhythm;
use crate::space::{Mark, PairId};

/// Changes with the form of stored states, and with whatever makes the same looks lead to something else.
const FORM: u64 = 3;
/// Level of zstd: more would save little, and a state is written every few minutes.
const LEVEL: i32 = 3;
/// A state that unpacks to more than this is none of ours: 1,000 bytes for each of a million pairs.
const MOST_BYTES: usize = 1_000_000_000;

const LABELS: [Label; 5] =
    [Label::ErrorBound, Label::DnsBound, Label::HandshakeBound, Label::ServerBound, Label::ThroughputBound];
/// The first code of a suspected window, after two that say no label and three for each label.
const FIRST_SUSPECTED: u8 = 2 + 3 * LABELS.len() as u8;
/// After a suspected window of each label.
const WORKING: u8 = FIRST_SUSPECTED + LABELS.len() as u8;
const SEVERITIES: [Severity; 3] = [Severity::Minor, Severity::Major, Severity::Critical];

#[derive(Serialize, Deserialize)]
struct StoredFleet<Pairs> {
    through: Option<WindowStart>,
    /// By client and target.
    pairs: Pairs,
    /// By label, and then by when they opened.
    open: Vec<Vec<StoredIncident>>,
    given: BTreeMap<IncidentId, WindowStart>,
    waiting: BTreeMap<(Label, Cause), WindowStart>,
}

#[derive(Serialize, Deserialize)]
struct StoredPair {
    client: Arc<str>,
    target: Arc<str>,
    network: Option<[Option<Arc<str>>; 3]>,
    recent: Vec<(WindowStart, u8)>,
    rhythm: Rhythm,
    present: Option<u8>,
    run: Option<(Label, WindowStart, WindowStart)>,
    unmeasured: bool,
}

/// A pair by its place, and the JSON of its client's labels and of its target's; empty where there are none. Those of all pairs follow
/// after the rest of the state, and only if there are any: so a state without labels is as it ever was.
type StoredTags = (u32, String, String);

#[derive(Serialize, Deserialize)]
struct StoredIncident {
    told: Incident,
    held_at: WindowStart,
    /// `quiet`, `unobserved` and `observed`.
    looks: (u32, u32, u32),
    flaps: bool,
    stands: bool,
    leaning: (Severity, u32),
    /// Pairs by their places in `pairs`.
    members: Vec<(u32, WindowStart, WindowStart, Severity, bool)>,
    told_by: Vec<(u32, WindowStart)>,
}

impl Fleet {
    /// The state as bytes: the same for the same looks.
    pub fn to_stored(&self) -> Vec<u8> {
        let mut pairs: Vec<_> = self.space.pairs().collect();
        pairs.sort_by(|(_, a), (_, b)| (&a.client, &a.target).cmp(&(&b.client, &b.target)));
        let mut places = vec![None; self.space.pair_places()];
        pairs.iter().zip(0..).for_each(|((id, _), place)| places[id.index()] = Some(place));
        let incidents = |open: &Vec<OpenIncident>| open.iter().map(|incident| store(incident, &places)).collect();
        let stored = StoredFleet {
            through: self.through,
            pairs: Pairs(&pairs),
            open: self.open.iter().map(incidents).collect(),
            given: self.given.clone(),
            waiting: self.waiting.clone(),
        };
        // Neither fails: both write to memory.
        let mut plain = postcard::to_allocvec(&stored).unwrap_or_default();
        let tags: Vec<_> = (0..).zip(&pairs).filter_map(|(place, (_, pair))| store_tags(place, pair)).collect();
        if !tags.is_empty() {
            plain.extend(postcard::to_allocvec(&tags).unwrap_or_default());
        }
        let packed = zstd::bulk::compress(&plain, LEVEL).unwrap_or_default();
        let mut bytes = tag(&self.rules, self.window_ms).to_vec();
        bytes.extend((plain.len() as u64).to_le_bytes());
        bytes.extend(packed);
        bytes
    }

    /// The state that these bytes hold; `None` where another version wrote them, or other rules or another window's length
    /// held, or they are damaged. Then a fleet starts anew from the oldest look that is kept.
    pub fn restore(state: &[u8], rules: &FleetRules, window_ms: i64) -> Option<Self> {
        let packed = state.strip_prefix(&tag(rules, window_ms))?;
        let (size, packed) = packed.split_first_chunk()?;
        let size = usize::try_from(u64::from_le_bytes(*size)).ok().filter(|size| *size <= MOST_BYTES)?;
        let plain = zstd::bulk::decompress(packed, size).ok()?;
        let (stored, rest): (StoredFleet<Vec<StoredPair>>, _) = postcard::take_from_bytes(&plain).ok()?;
        let mut tags = restore_tags(rest)?;
        let mut fleet = Self::new(rules, window_ms);
        fleet.through = stored.through;
        (fleet.given, fleet.waiting) = (stored.given, stored.waiting);
        let mut ids = Vec::with_capacity(stored.pairs.len());
        for (place, pair) in (0..).zip(stored.pairs) {
            ids.push(fleet.restore_pair(pair, tags.remove(&place))?);
        }
        for (open, incidents) in stored.open.into_iter().enumerate() {
            for incident in incidents {
                let incident = fleet.restore_incident(incident, &ids)?;
                fleet.open.get_mut(open)?.push(incident);
            }
        }
        Some(fleet)
    }

    fn restore_pair(&mut self, stored: StoredPair, tags: Option<PairTags>) -> Option<PairId> {
        let mut pair = Pair::new(stored.client, stored.target);
        pair.tags = tags.map(Arc::new);
        pair.network = stored.network.map(|[network_type, isp, site]| Arc::new(Network { network_type, isp, site }));
        let recent = stored.recent.into_iter().map(|(window, code)| Some((window, standing(code)?)));
        pair.recent = recent.collect::<Option<Vec<_>>>().filter(|recent| recent.len() <= RECENT_WINDOWS)?;
        pair.rhythm = stored.rhythm;
        pair.present = match stored.present {
            Some(code) => Some(standing(code)?),
            None => None,
        };
        pair.run = stored.run.map(|(label, since, until)| Run { label, since, until });
        pair.unmeasured = stored.unmeasured;
        if self.space.find(&pair.client, &pair.target).is_some() {
            return None;
        }
        // Whether it is silent is asked again when it would be, or at the next look.
        let asked_at = pair.silent_at(self.rules.missed_windows, self.window_ms);
        let id = self.space.add(pair, &self.rules);
        self.ask_at(id, asked_at);
        Some(id)
    }

    fn restore_incident(&mut self, stored: StoredIncident, ids: &[PairId]) -> Option<OpenIncident> {
        let StoredIncident { told, held_at, looks, flaps, stands, leaning, members, told_by } = stored;
        let label = told.label;
        let cause = self.space.cause_id(&told.cause);
        let mut incident = OpenIncident::new(label, &told.cause, cause, told.opened, told.as_of);
        for (place, since, until, severity, hurts) in members {
            let id = *ids.get(place as usize)?;
            let causes = &self.space.pair(id).causes;
            let (client, target) = (causes[0].cause, causes[1].cause);
            incident.add_member(id, Member { since, until, severity, hurts }, client, target);
            self.space.note(id, |pair| pair.memberships += 1);
        }
        let told_by = told_by.into_iter().map(|(place, window)| Some((*ids.get(place as usize)?, window)));
        incident.told_by = told_by.collect::<Option<_>>()?;
        (incident.told, incident.held_at, incident.stands, incident.leaning) = (told, held_at, stands, leaning);
        (incident.quiet, incident.unobserved, incident.observed) = looks;
        incident.flaps = flaps;
        self.space.mark(cause, label, Mark::Open, true);
        self.space.mark(cause, label, Mark::Standing, stands);
        Some(incident)
    }
}

/// What a state begins with, so that one of other rules or of another form is not read.
fn tag(rules: &FleetRules, window_ms: i64) -> [u8; 16] {
    let mut tag = [0; 16];
    tag[..8].copy_from_slice(&(rules.fingerprint() ^ FORM).to_le_bytes());
    tag[8..].copy_from_slice(&window_ms.to_le_bytes());
    tag
}

/// Pairs that are to be stored. Each is brought into its form as it is written: all of them together would take as much memory as
/// the fold does.
struct Pairs<'a>(&'a [(PairId, &'a Pair)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(_, pair)| store_pair(pair)))
    }
}

fn store_pair(pair: &Pair) -> StoredPair {
    let network = |network: &Arc<Network>| [network.network_type.clone(), network.isp.clone(), network.site.clone()];
    StoredPair {
        client: Arc::clone(&pair.client),
        target: Arc::clone(&pair.target),
        network: pair.network.as_ref().map(network),
        recent: pair.recent.iter().map(|(window, standing)| (*window, code(*standing))).collect(),
        rhythm: pair.rhythm.clone(),
        present: pair.present.map(code),
        run: pair.run.map(|run| (run.label, run.since, run.until)),
        unmeasured: pair.unmeasured,
    }
}

fn store_tags(place: u32, pair: &Pair) -> Option<StoredTags> {
    let [client, target] = pair.tags.as_ref()?.json().map(|json| json.unwrap_or_default().to_owned());
    Some((place, client, target))
}

/// By the places of their pairs; none where the bytes are no labels.
fn restore_tags(bytes: &[u8]) -> Option<BTreeMap<u32, PairTags>> {
    if bytes.is_empty() {
        return Some(BTreeMap::new());
    }
    let stored: Vec<StoredTags> = postcard::from_bytes(bytes).ok()?;
    stored.iter().map(|(place, client, target)| Some((*place, PairTags::parse([client, target])?))).collect()
}

fn store(incident: &OpenIncident, places: &[Option<u32>]) -> StoredIncident {
    let place = |id: &PairId| places.get(id.index()).copied().flatten();
    let members = incident.members.iter();
    let stored = |(id, member): (&PairId, &Member)| {
        Some((place(id)?, member.since, member.until, member.severity, member.hurts))
    };
    let mut members: Vec<_> = members.filter_map(stored).collect();
    members.sort_unstable();
    let told_by = incident.told_by.iter();
    let mut told_by: Vec<_> = told_by.filter_map(|(id, window)| Some((place(id)?, *window))).collect();
    told_by.sort_unstable();
    StoredIncident {
        told: incident.told.clone(),
        held_at: incident.held_at,
        looks: (incident.quiet, incident.unobserved, incident.observed),
        flaps: incident.flaps,
        stands: incident.stands,
        leaning: incident.leaning,
        members,
        told_by,
    }
}

/// A standing as one byte: two that say no label, then labels by severity, suspected ones, and another one without a label.
fn code(standing: Standing) -> u8 {
    match standing {
        Standing::Unjudged => 0,
        Standing::Healthy | Standing::Degraded(Label::Healthy, _) | Standing::Suspected(Label::Healthy) => 1,
        Standing::Degraded(label, severity) => 2 + label as u8 * 3 + severity as u8,
        Standing::Suspected(label) => FIRST_SUSPECTED + label as u8,
        Standing::Working => WORKING,
    }
}

fn standing(code: u8) -> Option<Standing> {
    match code {
        0 => Some(Standing::Unjudged),
        1 => Some(Standing::Healthy),
        WORKING => Some(Standing::Working),
        code if code >= FIRST_SUSPECTED => Some(Standing::Suspected(*LABELS.get(usize::from(code - FIRST_SUSPECTED))?)),
        code => {
            let (label, severity) = ((code - 2) as usize / 3, (code - 2) as usize % 3);
            Some(Standing::Degraded(*LABELS.get(label)?, SEVERITIES[severity]))
        }
    }
}
