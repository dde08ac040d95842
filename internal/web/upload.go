package web

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"forewarn/internal/carrier"
	"forewarn/internal/form"
	"forewarn/internal/hostile"
)

// Upload is a file that came with a form, or out of an archive that did.
type Upload struct {
	Field string // of the form; empty out of an archive
	Path  string // with forward slashes, as the sender calls it; not to be trusted
	Data  []byte
}

// maxParts bounds what one form may come in: the files of a source and a few
// fields.
const maxParts = carrier.MaxFiles + 64

// multipart reads a form with files. All of it is kept in memory, no more than
// the row's Limit. Go's own reader drops the folders of a file's name; a browser
// sends them when a folder is chosen, so they are read from the head itself.
func (v *Visit) multipart() error {
	_, params, err := mime.ParseMediaType(v.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return errInput
	}
	v.PostForm = url.Values{}
	r := multipart.NewReader(v.Body, params["boundary"])
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if err == io.EOF {
			v.Form = v.PostForm
			return nil
		}
		if err != nil || n == maxParts {
			return badForm(err)
		}
		_, p, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil || p["name"] == "" {
			return errInput
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return badForm(err)
		}
		switch file, is := p["filename"]; {
		case !is:
			v.PostForm.Add(p["name"], string(b))
		case file != "": // an empty one: no file was chosen
			v.Files = append(v.Files, Upload{p["name"], strings.ReplaceAll(file, `\`, "/"), b})
		}
	}
}

// badForm is a form that can't be read: because it is too long, or isn't one.
func badForm(err error) error {
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return err
	}
	return errInput
}

// sourceOf makes a package's source of what was uploaded: files of one folder, or
// one archive of it (.zip or .tar). A folder that all of it is in is left out.
// Only files and folders are taken, with names that no system takes amiss;
// anything else is refused, by name. unpack takes an archive apart.
func sourceOf(files []Upload, unpack func([]byte) ([]hostile.File, error)) (carrier.Source, error) {
	var src carrier.Source
	if len(files) == 1 && hostile.Packed(files[0].Data) {
		packed, err := unpack(files[0].Data)
		switch {
		case errors.Is(err, hostile.ErrRefused):
			return src, &FieldError{"files", strings.TrimPrefix(err.Error(), hostile.ErrRefused.Error()+": ")}
		case errors.Is(err, hostile.ErrFell):
			return src, &FieldError{"files", "is an archive that " + err.Error()}
		case err != nil:
			return src, err
		}
		files = nil
		for _, f := range packed {
			files = append(files, Upload{Path: string(f.Path), Data: f.Data})
		}
	}
	if len(files) == 0 {
		return src, &FieldError{"files", "is missing: choose the package's folder, or an archive of it"}
	}
	if len(files) > carrier.MaxFiles+1 {
		return src, &FieldError{"files", fmt.Sprintf("has more than %d files", carrier.MaxFiles)}
	}
	top := commonFolder(files)
	total := 0
	for _, f := range files {
		p := strings.TrimPrefix(f.Path, top)
		switch err := form.CheckPath(p); {
		case strings.Contains("/"+p, "/."):
			return src, badFile(f.Path, "a hidden file or folder; it is easily overlooked, so leave it out or rename it")
		case err != nil:
			return src, badFile(f.Path, err.Error()+"; rename it")
		case len(f.Data) > carrier.MaxFile:
			return src, badFile(f.Path, fmt.Sprintf("it has %d bytes; a file has at most %d", len(f.Data), carrier.MaxFile))
		}
		if total += len(f.Data); total > carrier.MaxTotal {
			return src, badFile(f.Path, fmt.Sprintf("with it the files are more than %d bytes together", carrier.MaxTotal))
		}
		src.Files = append(src.Files, carrier.SourceFile{Path: p, Data: f.Data})
	}
	slices.SortFunc(src.Files, func(a, b carrier.SourceFile) int { return cmp.Compare(a.Path, b.Path) })
	for i := 1; i < len(src.Files); i++ {
		if src.Files[i].Path == src.Files[i-1].Path {
			return src, badFile(src.Files[i].Path, "it is there twice")
		}
	}
	return src, nil
}

func badFile(name, what string) error {
	return &FieldError{"files", fmt.Sprintf("can't be taken: %q: %s", name, what)}
}

// commonFolder is the folder, with its slash, that all of the files are in,
// unless the manifest stands beside it.
func commonFolder(files []Upload) string {
	top, _, in := strings.Cut(files[0].Path, "/")
	if !in || top == "" || top == "." || top == ".." {
		return ""
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Path, top+"/") {
			return ""
		}
	}
	return top + "/"
}
