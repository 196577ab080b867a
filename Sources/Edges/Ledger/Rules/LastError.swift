/// The row of a recipient whose last response was no acceptance.
struct LastError: Equatable {
    var at: Int64
    /// When the next attempt is due, in milliseconds since 1970; 0 where the recipient waits for none.
    var due: Int64
    var attempts: Int
    var failure: Int64
    /// Why the recipient waits although it was refused (`RefusalDoubt`); 0 for all others.
    var held = 0
}
