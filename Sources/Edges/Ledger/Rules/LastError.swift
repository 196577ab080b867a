/// The row of a recipient whose last response was no acceptance.
struct LastError: Equatable {
    var at: Int64
    /// Above 0 while it waits for another attempt.
    var due: Int64
    var attempts: Int
    var failure: Int64
    /// Why it waits although it was refused; 0 for all others (`RefusalDoubt`).
    var held = 0
}
