import Text

extension VisitorRules {
    /// Ranges that are published, or registered for their owner alone. Apple's are covers of the 290,000 that it publishes: they count only
    /// beside the agent, and `tracker.visitors` may name the published file.
    package static let builtInNetworks: [NetworkRanges] = [
        network(
            "apple-proxy",
            [
                "17.0.0.0/8", "104.28.0.0/16", "140.248.0.0/17", "146.75.128.0/17", "172.224.0.0/14", "2606:54c0::/30", "2a02:26f7::/32",
                "2a04:4e41::/32", "2a09:bac2::/31",
            ], "mask-api.icloud.com/egress-ip-ranges.csv; 17.0.0.0/8 is Apple's own"),
        network(
            "google",
            [
                "64.233.160.0/19", "66.102.0.0/20", "66.249.80.0/20", "72.14.192.0/18", "74.125.0.0/16", "108.177.8.0/21", "173.194.0.0/16",
                "209.85.128.0/17", "216.58.192.0/19", "216.239.32.0/19", "2001:4860:4000::/36", "2404:6800:4000::/36",
                "2607:f8b0:4000::/36", "2800:3f0:4000::/36", "2a00:1450:4000::/36", "2c0f:fb50:4000::/36",
            ], "TXT of _netblocks.google.com and _netblocks2.google.com"),
        network(
            "barracuda", ["64.235.144.0/20", "209.222.80.0/21"],
            "campus.barracuda.com/product/emailgatewaydefense/doc/96023004/ip-analysis-inbound"),
        network("mimecast", ["91.220.42.0/24", "205.139.110.0/23", "207.211.30.0/23"], "ARIN and RIPE: Mimecast"),
        network("proofpoint", ["67.231.148.0/22", "67.231.152.0/22"], "ARIN: Proofpoint"),
    ]

    private static func network(_ name: String, _ ranges: [String], _ source: String) -> NetworkRanges {
        NetworkRanges(name: name, ranges: ranges.compactMap { IPNetwork($0) }, source: source)
    }
}
