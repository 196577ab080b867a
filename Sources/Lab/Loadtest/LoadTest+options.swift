extension LoadTest {
    /// How a load test is run, beside what its scenario says.
    package struct Options: Sendable {
        /// The path of `flotilla`.
        package var executable: String
        /// Of Flotilla, for the result.
        package var version: String
        /// Where the sinks' records are kept; nil for the run's own folder.
        package var records: String?
        /// The run's own folder stays.
        package var keep = false

        package init(executable: String, version: String) {
            self.executable = executable
            self.version = version
        }
    }
}
