#if canImport(Glibc)
    import Glibc
#endif

extension Array {
    /// An array of equal values that is read here and there: it lies in pages of 2 MB where the system has them (madvise(2),
    /// `MADV_HUGEPAGE`), since the search for a page of 4 KB takes longer than the read itself.
    package static func large(_ value: Element, count: Int) -> [Element] {
        [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            #if canImport(Glibc)
                let page = 2 << 20
                let bytes = UnsafeMutableRawBufferPointer(buffer)
                if let start = bytes.baseAddress, bytes.count >= 2 * page {
                    let first = (Int(bitPattern: start) + page - 1) & ~(page - 1)
                    let end = (Int(bitPattern: start) + bytes.count) & ~(page - 1)
                    _ = madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_HUGEPAGE)
                }
            #endif
            buffer.initialize(repeating: value)
            initialized = count
        }
    }
}
