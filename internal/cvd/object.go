package cvd

import "forewarn/internal/entrylog"

// ObjectKind says what an Object is.
type ObjectKind uint8

// The kinds of objects that the policy knows.
const (
	NoObject ObjectKind = iota
	OnProgramme
	OnAccount
	OnMember
	OnCase
	OnPackage
	OnRevision
	OnWave
	OnCopy    // a wave, and the holder whose copy of it is meant
	OnPart    // a case, and the member whose part in it is meant
	OnReading // a revision, and the holder who has it
	OnHolder  // a member or a staff account, as somebody with keys
	OnDelegation
	OnReport
	objectEnd
)

var objectNames = []string{"nothing", "programme", "account", "member", "case", "package", "revision", "wave",
	"copy", "part", "reading", "holder", "delegation", "report"}

func (k ObjectKind) String() string { return name(objectNames, k) }

// Object is what an action is done to. The zero Object is nothing, and nothing
// may be done to it. An object need not exist: then it is denied like one that
// the actor may not know of.
type Object struct {
	Kind   ObjectKind
	ID     entrylog.Ref
	Holder HolderID // OnCopy, OnPart and OnReading only
}

// TheProgramme is the programme as a whole.
func TheProgramme() Object { return Object{Kind: OnProgramme} }

// AnAccount is one account.
func AnAccount(id AccountID) Object { return Object{Kind: OnAccount, ID: ref(id)} }

// AMember is one member.
func AMember(id MemberID) Object { return Object{Kind: OnMember, ID: ref(id)} }

// ACase is one case.
func ACase(id CaseID) Object { return Object{Kind: OnCase, ID: ref(id)} }

// APackage is one package.
func APackage(id PackageID) Object { return Object{Kind: OnPackage, ID: ref(id)} }

// ARevision is one revision of a package.
func ARevision(id RevisionID) Object { return Object{Kind: OnRevision, ID: ref(id)} }

// AWave is one wave.
func AWave(id WaveID) Object { return Object{Kind: OnWave, ID: ref(id)} }

// ACopy is a holder's copy of a wave.
func ACopy(id WaveID, h HolderID) Object { return Object{Kind: OnCopy, ID: ref(id), Holder: h} }

// APart is a member's part in a case.
func APart(id CaseID, m MemberID) Object {
	return Object{Kind: OnPart, ID: ref(id), Holder: HolderID(m)}
}

// AReading is a revision in a holder's hands.
func AReading(id RevisionID, h HolderID) Object {
	return Object{Kind: OnReading, ID: ref(id), Holder: h}
}

// AHolder is a member or a staff account, as somebody with keys.
func AHolder(id HolderID) Object { return Object{Kind: OnHolder, ID: ref(id)} }

// ADelegation is one lending of a role.
func ADelegation(id DelegationID) Object { return Object{Kind: OnDelegation, ID: ref(id)} }

// AReport is one report that came in.
func AReport(id ReportID) Object { return Object{Kind: OnReport, ID: ref(id)} }
