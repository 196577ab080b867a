package import Text

/// Who visitors are, as data: rules about single visits, of which the first that fits decides, named networks, and from when on visits that
/// come together are a machine's.
package struct VisitorRules: Sendable, Equatable {
    /// A named network's ranges.
    package struct NetworkRanges: Sendable, Equatable {
        package let name: String
        package let ranges: [IPNetwork]
        /// Where they are published.
        package let source: String

        package init(name: String, ranges: [IPNetwork], source: String) {
            (self.name, self.ranges, self.source) = (name, ranges, source)
        }
    }

    /// The date of the data: counts that were made by another version are old, until `flotilla recount`.
    package let version: String
    package let rules: [VisitorRule]
    package let networks: NamedNetworks
    package let bursts: BurstThresholds

    package init(version: String, rules: [VisitorRule], networks: [NetworkRanges], bursts: BurstThresholds = BurstThresholds()) {
        self.version = version
        self.rules = rules
        self.networks = NamedNetworks(networks.flatMap { network in network.ranges.map { ($0, network.name) } })
        self.bursts = bursts
    }

    /// What holds without a file.
    package static let builtIn = VisitorRules(version: builtInVersion, rules: builtInRules, networks: builtInNetworks)
}
