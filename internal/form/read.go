package form

// ReaderVersion names the reader that Read is. Readings of different versions
// are not comparable; a dossier names the version that it must be re-read with.
const ReaderVersion = "align/1"

// Read says what stands in the specimens at each site of the Form.
func Read(f *Form, specimens []Specimen) Readings {
	return Readings{}
}
