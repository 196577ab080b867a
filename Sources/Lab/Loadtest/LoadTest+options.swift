extension LoadTest {
    /// How a load test is run, beside what its scenario says.
    package struct Options: Sendable {
        /// The path of the `flotilla` that is tested.
        package var executable: String
        /// The path of `flotilla-lab`, which has the sinks and makes the recipients.
        package var laboratory: String
        /// Of Flotilla, for the result.
        package var version: String
        /// Where the sinks' records are kept; nil for the run's own folder.
        package var records: String?
        /// The run's own folder stays.
        package var keep = false

        package init(executable: String, laboratory: String, version: String) {
            self.executable = executable
            self.laboratory = laboratory
            self.version = version
        }
    }
}
