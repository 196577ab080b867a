/// The tracker that links of a mailing lead to, as the planner that publishes the mailing knows it. Nobody would answer the links of a
/// worker that writes another address, or signs by other keys.
package struct PublishedTracker: Codable, Sendable, Equatable {
    /// The public address, without a final slash.
    package var url: String
    /// A check value of each key, by the key's number; empty where the planner has no keys.
    package var keys: [Int: String]

    package init(url: String, keys: [Int: String]) {
        self.url = url
        self.keys = keys
    }

    /// What is wrong with the links of a worker, for people; nil where nothing is known to be.
    /// - Parameters:
    ///   - urls: the addresses that the worker may write.
    ///   - key: the number of the key that the worker signs by.
    ///   - check: that key's check value.
    package func fault(urls: [String], key: Int, check: String?) -> String? {
        guard urls.contains(url) else {
            return """
                tracker.url of the planner, or its entry of tracker.domains for this sender, is \(url.prefix(200)), and this worker has \
                \(urls.prefix(5).joined(separator: ", ")): set the same on all roles
                """
        }
        guard !keys.isEmpty, keys[key] != check else { return nil }
        let why = keys[key] == nil ? "which the planner's tracker.keys does not have" : "and another key has that number at the planner"
        return """
            this worker signs links by key \(key), \(why), so that no tracker would know them: give all roles the same tracker.keys, and \
            restart trackers, planners and then workers
            """
    }
}
