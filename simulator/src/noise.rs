//! How measurements scatter.

use std::f64::consts::TAU;

use rand::RngExt;

/// Two independent normal deviates, with mean 0 and standard deviation 1. Source: Box and Muller, "A Note on the Generation
/// of Random Normal Deviates", 1958.
pub(crate) fn normals(rng: &mut impl RngExt) -> [f64; 2] {
    let above_zero = 1.0 - rng.random::<f64>();
    let radius = (-2.0 * above_zero.ln()).sqrt();
    let (sine, cosine) = (TAU * rng.random::<f64>()).sin_cos();
    [radius * cosine, radius * sine]
}

/// A measurement with this median whose logarithm is normally distributed with standard deviation `spread`, rounded
/// to thousandths as probes do.
pub(crate) fn around(rng: &mut impl RngExt, median: f64, spread: f64) -> f64 {
    let [normal, _] = normals(rng);
    (median * (spread * normal).exp() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn scatters_log_normally() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut logs: Vec<f64> = (0..20_000).map(|_| (around(&mut rng, 50.0, 0.1) / 50.0).ln() / 0.1).collect();
        let n = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / n;
        let deviation = (logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((deviation - 1.0).abs() < 0.03, "{deviation}");
        logs.sort_by(f64::total_cmp);
        let within_two_sigma = logs.iter().filter(|x| x.abs() <= 2.0).count() as f64 / n;
        assert!((within_two_sigma - 0.9545).abs() < 0.01, "{within_two_sigma}");
    }
}
