/// An object that is kept for reuse.
protocol Spare: AnyObject {
    /// The next one of those kept; theirs alone.
    var nextSpare: Self? { get set }
}

/// Who holds spare objects for a while after they were needed.
protocol Trimmable: AnyObject {
    func trim()
}

/// Objects of one kind that are kept for reuse: a chain through the objects themselves, last in, first out.
///
/// Owned by its worker. As many as were needed at once in a while are kept; what nobody needed between two trims goes, by
/// halves, so that a burst does not hold its memory.
final class Spares<Element: Spare> {
    private var first: Element?
    private(set) var count = 0
    /// The fewest there were since the last trim: so many were not needed.
    private var countMin = 0

    func take() -> Element? {
        // Taken out and put in, so that no reference is counted in passing.
        guard let taken = first.take() else { return nil }
        first = taken.nextSpare.take()
        count -= 1
        if count < countMin { countMin = count }
        return taken
    }

    func put(_ element: Element) {
        element.nextSpare = first.take()
        first = element
        count += 1
    }

    /// Gives back half of those that were not needed, but keeps `least`.
    func trim(keeping least: Int) {
        var surplus = min((countMin + 1) / 2, max(0, count - least))
        while surplus > 0 {
            _ = take()
            surplus -= 1
        }
        countMin = count
    }

    /// One by one: a chain that went as a whole would take the stack's depth with its length.
    func dropAll(but kept: Int) {
        while count > kept { _ = take() }
        countMin = count
    }
}
